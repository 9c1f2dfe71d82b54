import Renderer from 'markdown-to-jsx/react';

/** Pictures elsewhere are links: to show them would tell a stranger that this trace was looked at. */
function ImageLink({ src, alt }: { src?: string; alt?: string }) {
  return (
    <a href={src} target="_blank" rel="noreferrer noopener">
      {alt === undefined || alt === '' ? src : alt}
    </a>
  );
}

const options = {
  disableParsingRawHTML: true,
  forceBlock: true,
  overrides: {
    a: { props: { target: '_blank', rel: 'noreferrer noopener' } },
    img: { component: ImageLink },
  },
};

/** Markdown as a model writes it. Raw HTML stays text. */
export default function Markdown({ text }: { text: string }) {
  return (
    <Renderer className="prose" options={options}>
      {text}
    </Renderer>
  );
}
