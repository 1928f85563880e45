// The cumulative dose-volume histograms; in a file of its own, as it brings the chart library.
import { Skeleton, Text, useComputedColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { CartesianGrid, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { Dvh } from '../api/models';
import { FailureNotice } from '../common/FailureNotice';
import { useFormat } from '../common/format';
import { WideTable } from '../common/WideTable';
import { cssColor } from '../viewer/contours';
import { dvhRows } from './dvh-rows';
import { useDvh } from './queries';

interface Props {
  instance: string;
  hidden: ReadonlySet<number>;
}

export default function DvhChart({ instance, hidden }: Props) {
  const { t } = useTranslation();
  const dvh = useDvh(instance, true);
  if (dvh.isError) return <FailureNotice error={dvh.error} onRetry={() => void dvh.refetch()} />;
  if (!dvh.data) {
    return (
      <>
        <Text size="sm" c="dimmed" mb="xs">
          {t('dvh.computing')}
        </Text>
        <Skeleton h={340} />
      </>
    );
  }
  return <Curves dvh={dvh.data} hidden={hidden} />;
}

function Curves({ dvh, hidden }: { dvh: Dvh; hidden: ReadonlySet<number> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const dark = useComputedColorScheme('light') === 'dark';
  const ink = dark ? '#c9c9c9' : '#495057';
  const grid = dark ? '#3b3f47' : '#dee2e6';
  const shown = dvh.structures.filter(({ number, curve }) => curve && !hidden.has(number));
  const rows = dvhRows(shown);
  const unit = dvh.dose.units === 'GY' ? 'Gy' : '';
  return (
    <>
      <figure style={{ margin: 0 }}>
        <Text component="figcaption" size="sm" c="dimmed" mb={4}>
          {t('dvh.caption', { unit: unit || '–' })}
        </Text>
        <ResponsiveContainer width="100%" height={340}>
          <LineChart data={rows} margin={{ top: 8, right: 16, bottom: 8, left: 0 }} accessibilityLayer={false}>
            <CartesianGrid stroke={grid} />
            <XAxis
              dataKey="dose"
              type="number"
              domain={[0, 'dataMax']}
              tickFormatter={format.number}
              stroke={ink}
              tick={{ fill: ink, fontSize: 12 }}
            />
            <YAxis
              width={48}
              domain={[0, 100]}
              tickFormatter={(value: number) => `${value} %`}
              stroke={ink}
              tick={{ fill: ink, fontSize: 12 }}
            />
            <Tooltip
              contentStyle={{ background: dark ? '#1f2228' : '#fff', border: `1px solid ${grid}`, borderRadius: 8 }}
              labelStyle={{ color: dark ? '#fff' : '#000' }}
              itemStyle={{ color: dark ? '#fff' : '#000', padding: 0 }}
              labelFormatter={(dose) => `${format.decimal(Number(dose), 2)} ${unit}`}
              formatter={(value, name) => [`${format.decimal(Number(value), 1)} %`, String(name)]}
            />
            {shown.map((structure) => (
              <Line
                key={structure.number}
                dataKey={`s${structure.number}`}
                name={structure.name}
                stroke={cssColor(structure.color)}
                strokeWidth={2}
                dot={false}
                isAnimationActive={false}
              />
            ))}
          </LineChart>
        </ResponsiveContainer>
      </figure>
      <WideTable of={t('dvh.title')}>
        <thead>
          <tr>
            <th>{t('structures.name')}</th>
            {['minimum', 'mean', 'maximum'].map((name) => (
              <th key={name} className="number">
                {t(`dvh.${name}` as 'dvh.mean')}
              </th>
            ))}
            {Object.keys(dvh.structures[0]?.d ?? {}).map((name) => (
              <th key={name} className="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {dvh.structures.map((structure) => (
            <tr key={structure.number}>
              <td>{structure.name}</td>
              {[structure.minimum, structure.mean, structure.maximum, ...Object.values(structure.d)].map(
                (value, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: cells of a row that never changes its order.
                  <td key={index} className="number">
                    {value === null ? '–' : `${format.decimal(value, 2)} ${unit}`}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </WideTable>
    </>
  );
}
