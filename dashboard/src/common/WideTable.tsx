import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

/** A table that may be wider than the window: it scrolls by itself, by keyboard too. */
export function WideTable({ of, children }: { of: string; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section className="scroll-x" tabIndex={0} aria-label={t('tableOf', { of })}>
      {children}
    </section>
  );
}
