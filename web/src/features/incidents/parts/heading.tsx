export function Heading({ children }: { children: string }) {
  return <h3 className="eyebrow mt-5 mb-1.5">{children}</h3>;
}
