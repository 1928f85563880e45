// Colours that keep a contrast of 4.5 : 1 (WCAG AA) in both schemes, and nothing else.
import { type CSSVariablesResolver, createTheme } from '@mantine/core';

export const theme = createTheme({
  primaryColor: 'cyan',
  primaryShade: { light: 9, dark: 9 },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
});

export const variables: CSSVariablesResolver = (base) => ({
  variables: {},
  light: {
    '--mantine-color-cyan-light-color': '#074652',
    '--mantine-color-cyan-filled-hover': '#095c6b',
    '--mantine-color-dimmed': base.colors.gray[7],
    '--mantine-color-placeholder': base.colors.gray[7],
    '--mantine-color-body': '#f8f9fb',
    '--pacs-panel': '#ffffff',
    '--mantine-color-error': base.colors.red[9],
  },
  dark: {
    '--mantine-color-cyan-filled-hover': '#095c6b',
    '--mantine-color-dimmed': base.colors.dark[1],
    '--mantine-color-placeholder': base.colors.dark[1],
    '--mantine-color-body': '#16181d',
    '--pacs-panel': '#1f2228',
    '--mantine-color-error': base.colors.red[4],
  },
});
