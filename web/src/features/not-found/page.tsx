import { Link } from '@tanstack/react-router';
import { TrainTrack } from 'lucide-react';

import { buttonClass } from '@/shared/ui/button';

export function NotFoundPage() {
  return (
    <main className="flex h-full min-h-[60vh] flex-col items-center justify-center gap-2 p-8 text-center">
      <title>Not found · Signalbox</title>
      <TrainTrack size={28} className="mb-1 text-faint" aria-hidden />
      <h1 className="text-lg font-semibold">This line ends here</h1>
      <p className="mb-4 text-sm text-muted">
        There is no page at this address. It may have moved, or the link was cut.
      </p>
      <Link to="/" className={buttonClass('plain')}>
        Back to the overview
      </Link>
    </main>
  );
}
