import { ActionIcon, Anchor, Burger, Group, Loader, NavLink, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconFolders,
  IconLayoutDashboard,
  IconLogout,
  IconSend,
  IconTopologyStar3,
  IconUpload,
} from '@tabler/icons-react';
import { Suspense, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, Outlet, useLocation } from 'react-router';
import { useHasDeliveries } from '../api/queries';
import { useLendLogIn } from '../common/doors';
import { signOut, useSession } from '../session/session';
import { UploadIndicator } from '../upload/UploadIndicator';
import { LanguageSwitch } from './LanguageSwitch';
import { Notices } from './Notices';
import { ThemeSwitch } from './ThemeSwitch';

const PAGES = [
  { path: '/', name: 'overview', Icon: IconLayoutDashboard },
  { path: '/studies', name: 'studies', Icon: IconFolders },
  { path: '/upload', name: 'upload', Icon: IconUpload },
  { path: '/extractions', name: 'extractions', Icon: IconTopologyStar3 },
  { path: '/deliveries', name: 'deliveries', Icon: IconSend },
] as const;

export function Shell() {
  const { t } = useTranslation();
  const session = useSession();
  const { pathname } = useLocation();
  const [opened, { toggle, close }] = useDisclosure();
  useLendLogIn();
  const sendsOn = useHasDeliveries();
  const pages = PAGES.filter(({ name }) => name !== 'deliveries' || sendsOn);
  const main = useRef<HTMLElement>(null);
  const page = PAGES.find(({ path }) => (path === '/' ? pathname === '/' : pathname.startsWith(path)));

  useEffect(() => {
    document.title = page ? `${t(`pages.${page.name}`)} · PACS` : 'PACS';
  }, [page, t]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page starts at its top, with the menu closed.
  useEffect(() => {
    close();
    window.scrollTo(0, 0);
  }, [pathname]);

  return (
    <div className="shell">
      <header>
        {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place on the page; the router must not see the hash. */}
        <a
          className="skip-link"
          href="#content"
          onClick={(event) => {
            event.preventDefault();
            main.current?.focus();
          }}
        >
          {t('shell.skip')}
        </a>
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={opened}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={t('shell.menu')}
              aria-expanded={opened}
            />
            <Anchor component={Link} to="/" underline="never" c="var(--mantine-color-text)">
              <Group gap="xs" wrap="nowrap">
                <img src="/icon.svg" alt="" width={28} height={28} />
                <Text fw={700}>PACS</Text>
              </Group>
            </Anchor>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <UploadIndicator />
            <LanguageSwitch />
            <ThemeSwitch />
            <Text size="sm" c="dimmed" visibleFrom="sm">
              {session?.user}
            </Text>
            <ActionIcon
              variant="default"
              size={36}
              aria-label={t('shell.signOut')}
              title={t('shell.signOut')}
              onClick={() => signOut()}
            >
              <IconLogout size={18} aria-hidden />
            </ActionIcon>
          </Group>
        </Group>
      </header>
      <nav aria-label={t('shell.pages')} data-opened={opened || undefined}>
        <div>
          {pages.map(({ path, name, Icon }) => (
            <NavLink
              key={path}
              component={Link}
              to={path}
              label={t(`pages.${name}`)}
              leftSection={<Icon size={20} aria-hidden />}
              active={page?.path === path}
              aria-current={page?.path === path ? 'page' : undefined}
            />
          ))}
        </div>
      </nav>
      <main id="content" ref={main} tabIndex={-1}>
        <Suspense fallback={<Loader aria-label={t('loading')} />}>
          <Outlet />
        </Suspense>
      </main>
      <Notices />
    </div>
  );
}
