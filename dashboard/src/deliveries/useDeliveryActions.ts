import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { failureOf, send } from '../api/client';
import type { Delivery } from '../api/models';
import { tell } from '../common/notices';
import { type Action, allows } from './search';

/** Sends again, or cancels, those of some deliveries whose state allows it; how it went is told. */
export function useDeliveryActions(onDone?: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ action, deliveries }: { action: Action; deliveries: Delivery[] }) => {
      const ids = deliveries.filter(({ state }) => allows(action, state)).map(({ id }) => id);
      return send<{ changed: number }>('POST', `/api/deliveries/${action}`, { data: { ids } });
    },
    onSuccess: ({ changed: count }, { action }) => {
      tell(t(`deliveries.${action}Done`, { count }));
      onDone?.();
    },
    onError: async (error) => tell(t('pages.deliveries'), await failureOf(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['deliveries'] }),
  });
}
