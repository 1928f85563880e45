import { SimpleGrid, Skeleton, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Statistics } from '../api/models';
import { useDeliveries, useHasDeliveries } from '../api/queries';
import { useFormat } from '../common/format';

/** The counters on top. They keep their place while they load. */
export function Figures({ statistics }: { statistics: Statistics | undefined }) {
  const { t } = useTranslation();
  const format = useFormat();
  const sendsOn = useHasDeliveries();
  const waiting = useDeliveries({ state: 'waiting', limit: 1 }).data?.total;
  const figures: [string, string | undefined][] = [
    ['studies', statistics && format.number(statistics.studies)],
    ['series', statistics && format.number(statistics.series)],
    ['instances', statistics && format.number(statistics.instances)],
    ['disk', statistics && format.bytes(statistics.disk_bytes)],
    ['structures', statistics && format.number(statistics.extractions.structures)],
  ];
  if (sendsOn) figures.push(['deliveries', waiting === undefined ? undefined : format.number(waiting)]);
  return (
    <SimpleGrid component="dl" cols={{ base: 2, sm: 3, lg: figures.length }} m={0}>
      {figures.map(([name, value]) => (
        <div key={name} className="panel" data-figure={name}>
          <Text component="dt" size="sm" c="dimmed">
            {t(`figures.${name}` as 'figures.studies')}
          </Text>
          <Text component="dd" m={0} fz={26} fw={700} lh={1.3}>
            {value ?? <Skeleton h={26} w={80} my={4} />}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  );
}
