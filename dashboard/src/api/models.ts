// What the server's routes answer, as far as the site reads it (/api/docs has the whole).

export type ServiceState = 'up' | 'degraded' | 'down' | 'not_configured';

export interface ServiceStatus {
  name: string;
  state: ServiceState;
  latency_ms: number | null;
  version: string | null;
  since: string;
  checked_at: string | null;
  reason: string | null;
}

export interface Status {
  status: ServiceState;
  services: ServiceStatus[];
}

export interface Statistics {
  patients: number;
  studies: number;
  series: number;
  instances: number;
  disk_bytes: number;
  by_modality: { modality: string; studies: number; series: number; instances: number }[];
  growth: { day: string; studies: number; instances: number; size_bytes: number }[];
  extractions: { pending: number; running: number; done: number; failed: number; structures: number };
}

export interface Series {
  orthanc_id: string;
  series_instance_uid: string;
  modality: string;
  number: number | null;
  description: string;
  series_date: string | null;
  station: string;
  manufacturer: string;
  body_part: string;
  instance_count: number;
  size_bytes: number;
}

export interface Study {
  orthanc_id: string;
  study_instance_uid: string;
  patient_id: string;
  patient_name: string;
  patient_birth_date: string | null;
  patient_sex: string | null;
  accession_number: string;
  description: string;
  study_date: string | null;
  study_time: string | null;
  referring_physician: string;
  institution: string;
  modalities: string[];
  series_count: number;
  instance_count: number;
  size_bytes: number;
  arrived_at: string;
  updated_at: string;
}

export interface StudyDetail extends Study {
  series: Series[];
}

export interface Page<T> {
  items: T[];
  total: number;
  limit: number;
  offset: number;
}

export type ExtractionState = 'pending' | 'running' | 'done' | 'failed';

export interface Extraction {
  orthanc_id: string;
  state: ExtractionState;
  attempts: number;
  error: string | null;
  enqueued_at: string;
  next_try_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  duration_s: number | null;
  sop_instance_uid: string | null;
  series_instance_uid: string | null;
  study_instance_uid: string | null;
  label: string | null;
  structure_count: number | null;
  contour_count: number | null;
  point_count: number | null;
}

export interface UploadedFile {
  /** As sent; within a ZIP, `archive.zip/path/in/it.dcm`. */
  name: string;
  result: 'stored' | 'already_stored' | 'rejected';
  reason: string | null;
  orthanc_id: string | null;
  sop_instance_uid: string | null;
  study_instance_uid: string | null;
}

export interface UploadAnswer {
  files: UploadedFile[];
  stored: number;
  already_stored: number;
  rejected: number;
}

export interface Warning {
  code: string;
  message: string;
}

export interface Structure {
  number: number;
  name: string;
  color: [number, number, number] | null;
  interpreted_type: string | null;
  contour_count: number;
  volume_cm3: number | null;
  warnings: Warning[];
}

export interface StructureSet {
  orthanc_id: string;
  sop_instance_uid: string;
  frame_of_reference_uid: string | null;
  referenced_series_uid: string | null;
  label: string;
  name: string;
  date: string | null;
  approval_status: string | null;
  warnings: Warning[];
  structures: Structure[];
}

export interface Finding {
  code: string;
  severity: 'error' | 'warning' | 'info';
  message: string;
  remedy: string;
  place: { structure_name: string | null };
  in_ohif: 'hidden' | 'wrong' | null;
}

export interface Quality {
  compared_series_uid: string | null;
  totals: { error: number; warning: number; info: number };
  viewable_in_ohif: boolean;
  ohif_reasons: { code: string; message: string }[];
  findings: Finding[];
}

export interface Dvh {
  dose: { units: string; maximum: number; chosen_because: string; warnings: Warning[] };
  structures: {
    number: number;
    name: string;
    color: [number, number, number] | null;
    volume_cm3: number | null;
    minimum: number | null;
    maximum: number | null;
    mean: number | null;
    d: Record<string, number | null>;
    curve: { bin_width: number; volume_unit: string; cumulative: number[] } | null;
    warnings: Warning[];
  }[];
}

export type DestinationState = 'up' | 'down' | 'paused' | 'unknown';

export interface Destination {
  name: string;
  kind: 'dicom' | 'dicomweb' | 'xnat';
  address: string;
  deidentified: boolean;
  profile: string | null;
  state: DestinationState;
  reason: string | null;
  since: string | null;
  last_success_at: string | null;
  waiting: number;
  failed: number;
}

export type DeliveryState = 'waiting' | 'sending' | 'verifying' | 'delivered' | 'failed' | 'cancelled';

export interface Delivery {
  id: number;
  destination: string;
  study_orthanc_id: string;
  study_instance_uid: string;
  patient_id: string;
  patient_name: string;
  study_description: string;
  state: DeliveryState;
  attempts: number;
  instances_total: number;
  instances_sent: number;
  bytes_total: number;
  reason: string | null;
  /** How the other end has shown that it holds everything. */
  proof: 'storage_commitment' | 'c_find' | 'qido' | 'file_listing' | null;
  created_at: string;
  next_try_at: string | null;
  started_at: string | null;
  delivered_at: string | null;
  duration_s: number | null;
}
