/** The keys of a registry in its order, as the non-empty tuple that zod's enum takes. */
export const namesOf = <K extends string>(registry: Readonly<Record<K, unknown>>): readonly [K, ...K[]] =>
  Object.keys(registry) as [K, ...K[]];
