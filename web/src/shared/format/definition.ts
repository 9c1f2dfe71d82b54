/** What the configuration would say of a thing, as JSON. */
export type Definition = Record<string, unknown>;

/** JSON that somebody types, or what is wrong with it. */
export function readDefinition(text: string): Definition | string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Definition;
    return 'Expected an object, written {…}.';
  } catch (error) {
    return error instanceof Error ? error.message : 'This is no JSON.';
  }
}

/** Lines that a field for a text has: as many as that takes and one to go on, within reason. */
export const rowsFor = (text: string): number => Math.min(24, Math.max(8, text.split('\n').length + 1));
