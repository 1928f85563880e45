import { Button, Group, NumberInput, SegmentedControl, Slider, Switch, Text } from '@mantine/core';
import { startTransition, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FailureNotice } from '../common/FailureNotice';
import { useFormat } from '../common/format';
import { contoursBySlice, type DrawnStructure } from './contours';
import { ContourPaths, draw } from './drawing';
import type { Stack } from './geometry';
import { Pictures, type Window } from './pictures';

const PRESETS: Record<string, Window> = {
  soft: { center: 40, width: 400 },
  lung: { center: -600, width: 1500 },
  bone: { center: 400, width: 1800 },
  brain: { center: 40, width: 80 },
};
const MAX_CANVAS_PX = 1400;
const NO_STRUCTURES: readonly DrawnStructure[] = [];
const NONE_HIDDEN: ReadonlySet<number> = new Set();

/** The slice that a key leads to; null for keys that mean nothing here. */
function keyTarget(key: string, index: number, count: number): number | null {
  switch (key) {
    case 'ArrowUp':
    case 'ArrowLeft':
      return index - 1;
    case 'ArrowDown':
    case 'ArrowRight':
      return index + 1;
    case 'PageUp':
      return index - 10;
    case 'PageDown':
      return index + 10;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}

interface Props {
  stack: Stack;
  modality: string;
  structures?: readonly DrawnStructure[];
  hidden?: ReadonlySet<number>;
  /** A structure to go to; `at` makes a second click on the same one count. */
  goTo?: { number: number; at: number } | null;
}

export function SliceViewer({ stack, modality, structures = NO_STRUCTURES, hidden = NONE_HIDDEN, goTo }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [preset, setPreset] = useState(modality === 'CT' ? 'soft' : 'stored');
  const [own, setOwn] = useState<Window>({ center: 40, width: 400 });
  const [filled, setFilled] = useState(true);
  const [failure, setFailure] = useState<unknown>(null);
  const [shownPx, setShownPx] = useState(600);
  const count = stack.slices.length;

  const bySlice = useMemo(() => contoursBySlice(structures, stack), [structures, stack]);
  const paths = useMemo(() => new ContourPaths(stack.slices, bySlice), [stack, bySlice]);
  const [index, setIndex] = useState(() => Math.floor(count / 2));
  const shown = useRef(index);
  const asked = useRef(0);

  const window_ = preset === 'stored' ? null : preset === 'own' ? own : (PRESETS[preset] ?? null);
  const pictures = useRef<Pictures | null>(null);

  const paint = useCallback(() => {
    asked.current = 0;
    const element = canvas.current;
    const context = element?.getContext('2d', { alpha: false });
    const slice = stack.slices[shown.current];
    if (!element || !context || !slice) return;
    const picture = pictures.current?.at(shown.current);
    const drawn = draw(context, { slice, picture, paths: paths.of(shown.current), structures, hidden, filled });
    // What is on the canvas, for tests and for whoever looks into the page.
    element.dataset.slice = String(shown.current);
    element.dataset.structures = String(drawn);
    element.dataset.picture = picture ? 'shown' : 'awaited';
  }, [stack, paths, structures, hidden, filled]);
  const paintLatest = useRef(paint);
  paintLatest.current = paint;
  const repaint = useCallback(() => {
    asked.current ||= requestAnimationFrame(() => paintLatest.current());
  }, []);

  const go = useCallback(
    (to: number) => {
      const next = Math.max(0, Math.min(count - 1, Math.round(to)));
      if (next === shown.current) return;
      shown.current = next;
      // The picture first; the slider and the words follow when there is time.
      startTransition(() => setIndex(next));
      pictures.current?.around(next);
      repaint();
    },
    [count, repaint],
  );

  const center = window_?.center;
  const width = window_?.width;
  useEffect(() => {
    setFailure(null);
    const window = center === undefined || width === undefined ? null : { center, width };
    const loading = new Pictures(
      stack.slices,
      window,
      (arrived) => {
        if (arrived === shown.current) repaint();
      },
      setFailure,
    );
    pictures.current = loading;
    loading.around(shown.current);
    repaint();
    return () => loading.close();
  }, [stack, center, width, repaint]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: painted again whenever what is painted has changed.
  useEffect(repaint, [repaint, paint, shownPx]);
  useEffect(
    () => () => {
      cancelAnimationFrame(asked.current);
      asked.current = 0;
    },
    [],
  );

  // Where the most is drawn is where people want to begin.
  useEffect(() => {
    const most = Math.max(0, ...bySlice.map((on) => on.size));
    const best = most > 0 ? bySlice.flatMap((on, slice) => (on.size === most ? [slice] : [])) : [];
    const middle = best[best.length >> 1];
    if (middle !== undefined) go(middle);
  }, [bySlice, go]);

  useEffect(() => {
    if (!goTo) return;
    const with_ = bySlice.flatMap((on, slice) => (on.has(goTo.number) ? [slice] : []));
    const middle = with_[Math.floor(with_.length / 2)];
    if (middle !== undefined) go(middle);
  }, [goTo, bySlice, go]);

  const slice = stack.slices[index];
  // As many pixels as the screen shows of it: each more would be drawn thirty times and then thrown away.
  const ratio = slice ? (slice.columns * slice.columnSpacing) / (slice.rows * slice.rowSpacing) : 1;
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry?.contentRect.width) setShownPx(Math.min(entry.contentRect.width, entry.contentRect.height * ratio));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [ratio]);

  // React's own wheel listener is passive: the page would scroll as well.
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    let turned = 0;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      turned += event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / 50 : event.deltaY;
      const steps = Math.trunc(turned);
      if (steps === 0) return;
      turned -= steps;
      go(shown.current + Math.sign(steps) * Math.min(Math.abs(steps), 3));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [go]);

  if (!slice?.rows || !slice.columns) return <Text c="dimmed">{t('viewer.noImages')}</Text>;
  const widthMm = slice.columns * slice.columnSpacing;
  const heightMm = slice.rows * slice.rowSpacing;
  const canvasWidth = Math.round(Math.min(shownPx * window.devicePixelRatio, MAX_CANVAS_PX));
  const off = structures.length > 0 && bySlice.every((on) => on.size === 0);

  return (
    <div>
      <Group mb="xs" gap="sm">
        <div className="scroll-x" style={{ maxWidth: '100%' }}>
          <SegmentedControl
            size="xs"
            aria-label={t('viewer.window')}
            value={preset}
            onChange={setPreset}
            data={['stored', ...(modality === 'CT' ? Object.keys(PRESETS) : []), 'own'].map((value) => ({
              value,
              label: t(`viewer.windows.${value}` as 'viewer.windows.own'),
            }))}
          />
        </div>
        {preset === 'own' && (
          <Group gap="xs">
            {(['center', 'width'] as const).map((name) => (
              <NumberInput
                key={name}
                size="xs"
                w={110}
                hideControls
                aria-label={t(`viewer.${name}`)}
                value={own[name]}
                min={name === 'width' ? 1 : undefined}
                onChange={(value) => {
                  if (typeof value === 'number') setOwn({ ...own, [name]: value });
                }}
              />
            ))}
          </Group>
        )}
        {structures.length > 0 && (
          <Switch
            size="sm"
            label={t('viewer.fill')}
            checked={filled}
            onChange={(event) => setFilled(event.currentTarget.checked)}
          />
        )}
      </Group>
      {failure !== null && <FailureNotice error={failure} onRetry={() => setPreset(preset)} />}
      {off && (
        <Text size="sm" mb="xs">
          {t('viewer.elsewhere')}
        </Text>
      )}
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={t('viewer.canvas', { slice: index + 1, count })}
        aria-describedby="viewer-keys"
        width={canvasWidth}
        height={Math.round((canvasWidth * heightMm) / widthMm)}
        onKeyDown={(event) => {
          const to = keyTarget(event.key, shown.current, count);
          if (to === null || event.altKey || event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          go(to);
        }}
        style={{
          display: 'block',
          width: '100%',
          maxHeight: '70vh',
          objectFit: 'contain',
          background: '#000',
          borderRadius: 'var(--mantine-radius-md)',
          aspectRatio: `${widthMm} / ${heightMm}`,
        }}
      />
      <Group mt="xs" gap="sm">
        <Button size="xs" variant="default" aria-label={t('viewer.previous')} onClick={() => go(index - 1)}>
          −
        </Button>
        <Slider
          style={{ flex: '1 1 120px' }}
          min={0}
          max={Math.max(count - 1, 1)}
          value={index}
          onChange={go}
          label={null}
          thumbLabel={t('viewer.slice')}
        />
        <Button size="xs" variant="default" aria-label={t('viewer.next')} onClick={() => go(index + 1)}>
          +
        </Button>
        <Text size="sm" style={{ whiteSpace: 'nowrap' }} miw={170} ta="right">
          {t('viewer.position', {
            slice: format.number(index + 1),
            count: format.number(count),
            position: slice.origin ? `${format.decimal(slice.position, 1)} mm` : '–',
          })}
        </Text>
      </Group>
      <Text size="xs" c="dimmed" id="viewer-keys">
        {t('viewer.keys')}
      </Text>
    </div>
  );
}
