import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, useEffect } from 'react';
import { BrowserRouter, Route, Routes } from 'react-router';
import { Overview } from './overview/Overview';
import { SignIn } from './session/SignIn';
import { useSession } from './session/session';
import { NotFound } from './shell/NotFound';
import { Shell } from './shell/Shell';
import { theme, variables } from './theme';

const Studies = lazy(() => import('./studies/Studies'));
const Upload = lazy(() => import('./upload/Upload'));
const StudyPage = lazy(() => import('./study/StudyPage'));
const Extractions = lazy(() => import('./extractions/Extractions'));
const Deliveries = lazy(() => import('./deliveries/Deliveries'));

const queries = new QueryClient({
  defaultOptions: {
    // A page that refreshes itself tries again soon enough; and it must say at once that the server is away.
    queries: { retry: false, networkMode: 'always', staleTime: 2000 },
    mutations: { networkMode: 'always' },
  },
});

function Pages() {
  const session = useSession();
  useEffect(() => {
    // Nothing of one account is left for the next.
    if (!session) queries.clear();
  }, [session]);
  if (!session) return <SignIn />;
  return (
    <Routes>
      <Route element={<Shell />}>
        <Route index element={<Overview />} />
        <Route path="studies" element={<Studies />} />
        <Route path="studies/:identifier" element={<StudyPage />} />
        <Route path="upload" element={<Upload />} />
        <Route path="extractions" element={<Extractions />} />
        <Route path="deliveries" element={<Deliveries />} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}

export function App() {
  return (
    // All variables are made here, from the theme: their style sheet would be a third of all styles of the first view.
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      deduplicateCssVariables={false}
      defaultColorScheme="auto"
    >
      <QueryClientProvider client={queries}>
        <BrowserRouter>
          <Pages />
        </BrowserRouter>
      </QueryClientProvider>
    </MantineProvider>
  );
}
