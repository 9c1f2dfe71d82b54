import { Link } from '@tanstack/react-router';
import { TrainTrack } from 'lucide-react';

import { buttonClass } from '@/shared/ui/button';
import { EmptyState } from '@/shared/ui/states';

export function NotFoundPage() {
  return (
    <EmptyState icon={<TrainTrack size={28} />} title="This line ends here" className="h-full min-h-[60vh]">
      <title>Not found · Signalbox</title>
      <p className="mb-4">There is no page at this address. It may have moved, or the link was cut.</p>
      <Link to="/" className={buttonClass('plain')}>
        Back to the overview
      </Link>
    </EmptyState>
  );
}
