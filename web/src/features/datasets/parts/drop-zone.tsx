import { FileUp } from 'lucide-react';
import { type DragEvent, type ReactNode, useState } from 'react';

const carriesFile = (event: DragEvent): boolean => event.dataTransfer.types.includes('Files');

/** A page that takes a file wherever it is dropped. */
export function DropZone({
  onFile,
  label,
  children,
}: {
  onFile: (file: File) => void;
  label: string;
  children: ReactNode;
}) {
  const [over, setOver] = useState(false);
  return (
    <div
      className="relative flex min-h-0 flex-1 flex-col"
      onDragOver={(event) => {
        if (!carriesFile(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        if (!carriesFile(event)) return;
        event.preventDefault();
        setOver(false);
        const file = event.dataTransfer.files[0];
        if (file) onFile(file);
      }}
    >
      {children}
      {over && (
        <div className="pointer-events-none absolute inset-2 z-30 flex animate-fade-in flex-col items-center justify-center gap-2 rounded-xl border-2 border-dashed border-accent bg-accent-soft/90 text-accent">
          <FileUp size={28} aria-hidden />
          <p className="text-base font-semibold">{label}</p>
          <p className="text-sm">JSON Lines or CSV</p>
        </div>
      )}
    </div>
  );
}
