// What kinds of series there are, for this site.

const WITHOUT_PICTURES = new Set([
  'RTSTRUCT',
  'RTPLAN',
  'RTDOSE',
  'SR',
  'SEG',
  'REG',
  'PR',
  'KO',
  'DOC',
  'RTRECORD',
  'AU',
  'ECG',
]);

export const hasPictures = (modality: string) => !WITHOUT_PICTURES.has(modality);
