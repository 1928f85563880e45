// The state of the list of studies: it lives in the address, so that it can be kept, sent and gone back to.

export const SORT_KEYS = [
  'arrived_at',
  'study_date',
  'patient_name',
  'patient_id',
  'accession_number',
  'description',
  'instance_count',
  'size_bytes',
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export const FILTERS = [
  'patient_name',
  'patient_id',
  'accession_number',
  'description',
  'modality',
  'date_from',
  'date_to',
] as const;
export type Filter = (typeof FILTERS)[number];

export const PAGE_SIZE = 25;

export interface Search {
  text: Partial<Record<Filter | 'q', string>>;
  sort: SortKey;
  descending: boolean;
  page: number;
}

export function readSearch(parameters: URLSearchParams): Search {
  const text: Search['text'] = {};
  for (const name of ['q', ...FILTERS] as const) {
    const value = parameters.get(name);
    if (value) text[name] = value;
  }
  const sort = SORT_KEYS.find((key) => key === parameters.get('sort')) ?? 'arrived_at';
  const page = Math.max(1, Number.parseInt(parameters.get('page') ?? '1', 10) || 1);
  return { text, sort, descending: parameters.get('order') !== 'asc', page };
}

/** The shortest address: what is the default is left out. */
export function writeSearch({ text, sort, descending, page }: Search): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(text)) if (value) parameters.set(name, value);
  if (sort !== 'arrived_at') parameters.set('sort', sort);
  if (!descending) parameters.set('order', 'asc');
  if (page > 1) parameters.set('page', String(page));
  return parameters;
}

/** The question for GET /api/studies. */
export function askedOf({ text, sort, descending, page }: Search): Record<string, string | number> {
  return {
    ...text,
    sort,
    order: descending ? 'desc' : 'asc',
    limit: PAGE_SIZE,
    offset: (page - 1) * PAGE_SIZE,
  };
}
