import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

interface Props {
  of: string;
  /** In px; a narrower window scrolls. */
  minWidth?: number;
  children: ReactNode;
}

/** A table that may be wider than the window: it scrolls by itself, by keyboard too. */
export function WideTable({ of, minWidth, children }: Props) {
  const { t } = useTranslation();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section className="scroll-x" tabIndex={0} aria-label={t('tableOf', { of })}>
      <table className="table" style={{ minWidth }}>
        {children}
      </table>
    </section>
  );
}
