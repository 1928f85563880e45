// Numbers, dates and names as the reader's language writes them.
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

const SIZES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;

/** (0010,0010): the alphabetic group, family name first. */
export function personName(value: string): string {
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = (value.split('=')[0] ?? '').split('^');
  const first = [prefix, given, middle].filter(Boolean).join(' ');
  return [family, first, suffix].filter(Boolean).join(', ');
}

/** A DICOM date YYYYMMDD as a Date at midnight UTC; null when it is not one. */
export function dicomDate(value: string | null): Date | null {
  const match = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(value ?? '');
  if (!match) return null;
  const date = new Date(`${match[1]}-${match[2]}-${match[3]}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? null : date;
}

export function formatsOf(language: string) {
  const numbers = new Intl.NumberFormat(language);
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' });
  const moment = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'medium' });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const decimal = (value: number, digits: number) =>
    new Intl.NumberFormat(language, { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);
  return {
    number: (value: number) => numbers.format(value),
    decimal,
    bytes(value: number): string {
      const power = value < 1 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), SIZES.length - 1);
      const unit = SIZES[power] ?? 'byte';
      return new Intl.NumberFormat(language, {
        style: 'unit',
        unit,
        maximumFractionDigits: power > 0 && value / 1000 ** power < 100 ? 1 : 0,
      }).format(value / 1000 ** power);
    },
    /** The value itself where it is not a date. */
    date: (value: string | null) => {
      const date = dicomDate(value);
      return date ? day.format(date) : (value ?? '');
    },
    moment: (iso: string | number) => moment.format(new Date(iso)),
    clock: (at: string | number) => clock.format(new Date(at)),
    ago(iso: string, now = Date.now()): string {
      const seconds = Math.round((new Date(iso).getTime() - now) / 1000);
      const size = Math.abs(seconds);
      if (size < 60) return relative.format(seconds, 'second');
      if (size < 3600) return relative.format(Math.round(seconds / 60), 'minute');
      if (size < 86_400) return relative.format(Math.round(seconds / 3600), 'hour');
      return relative.format(Math.round(seconds / 86_400), 'day');
    },
    duration(seconds: number): string {
      if (seconds < 1) return `${numbers.format(Math.round(seconds * 1000))} ms`;
      if (seconds < 60) return `${decimal(seconds, seconds < 10 ? 1 : 0)} s`;
      const minutes = Math.floor(seconds / 60);
      return `${minutes} min ${Math.round(seconds - minutes * 60)} s`;
    },
  };
}

export function useFormat() {
  const { i18n } = useTranslation();
  return useMemo(() => formatsOf(i18n.language), [i18n.language]);
}
