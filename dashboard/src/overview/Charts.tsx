// In a file of its own, so that the figures and states are on the screen before the chart library has come.
import { SimpleGrid, Text, useComputedColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Area, AreaChart, Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { Statistics } from '../api/models';
import { useFormat } from '../common/format';
import { growthOver } from './growth';

const HEIGHT = 240;

export default function Charts({ statistics, days }: { statistics: Statistics; days: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const dark = useComputedColorScheme('light') === 'dark';
  const ink = dark ? '#c9c9c9' : '#495057';
  const line = dark ? '#3bc9db' : '#0b7285';
  const grid = dark ? '#3b3f47' : '#dee2e6';
  const tooltip = {
    contentStyle: { background: dark ? '#1f2228' : '#fff', border: `1px solid ${grid}`, borderRadius: 8 },
    labelStyle: { color: dark ? '#fff' : '#000' },
    itemStyle: { color: dark ? '#fff' : '#000' },
  };
  const growth = growthOver(statistics, days, new Date());
  const modalities = statistics.by_modality.filter((entry) => entry.studies > 0);
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <figure style={{ margin: 0, minWidth: 0 }}>
        <Text component="figcaption" size="sm" c="dimmed" mb={4}>
          {t('charts.growth')}
        </Text>
        <ResponsiveContainer width="100%" height={HEIGHT}>
          <AreaChart data={growth} margin={{ top: 8, right: 16, bottom: 0, left: 0 }} accessibilityLayer={false}>
            <CartesianGrid stroke={grid} vertical={false} />
            <XAxis
              dataKey="day"
              tickFormatter={(day: string) => format.date(day)}
              minTickGap={60}
              stroke={ink}
              tick={{ fill: ink, fontSize: 12 }}
            />
            <YAxis
              width={64}
              allowDecimals={false}
              tickFormatter={format.number}
              stroke={ink}
              tick={{ fill: ink, fontSize: 12 }}
            />
            <Tooltip
              {...tooltip}
              labelFormatter={(day) => format.date(String(day))}
              formatter={(value) => [format.number(Number(value)), t('figures.instances')]}
            />
            <Area
              type="stepAfter"
              dataKey="instances"
              stroke={line}
              fill={line}
              fillOpacity={0.2}
              strokeWidth={2}
              isAnimationActive={false}
            />
          </AreaChart>
        </ResponsiveContainer>
      </figure>
      <figure style={{ margin: 0, minWidth: 0 }}>
        <Text component="figcaption" size="sm" c="dimmed" mb={4}>
          {t('charts.modalities')}
        </Text>
        <ResponsiveContainer width="100%" height={HEIGHT}>
          <BarChart data={modalities} margin={{ top: 8, right: 16, bottom: 0, left: 0 }} accessibilityLayer={false}>
            <CartesianGrid stroke={grid} vertical={false} />
            <XAxis
              dataKey="modality"
              interval={0}
              angle={-30}
              textAnchor="end"
              height={56}
              stroke={ink}
              tick={{ fill: ink, fontSize: 12 }}
            />
            <YAxis
              width={64}
              allowDecimals={false}
              tickFormatter={format.number}
              stroke={ink}
              tick={{ fill: ink, fontSize: 12 }}
            />
            <Tooltip
              {...tooltip}
              cursor={{ fill: grid, opacity: 0.4 }}
              formatter={(value) => [format.number(Number(value)), t('figures.studies')]}
            />
            <Bar dataKey="studies" fill={line} maxBarSize={56} isAnimationActive={false} />
          </BarChart>
        </ResponsiveContainer>
      </figure>
    </SimpleGrid>
  );
}
