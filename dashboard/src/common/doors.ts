// The other tools: where they are, and how OHIF gets the log-in of this tab.
import { useEffect } from 'react';
import { useDoors } from '../api/queries';
import { currentSession } from '../session/session';

const PATHS: Record<string, string> = { orthanc: '/app/explorer.html', dcm4chee: '/dcm4chee-arc/ui2/' };

/** The origin that a door's entry in doors.json stands for. */
export function originOf(door: string, location: { protocol: string; hostname: string }): string {
  return /^\d+$/.test(door) ? `${location.protocol}//${location.hostname}:${door}` : new URL(door).origin;
}

export type DoorAddress = (door: string, path?: string) => string;

export function useDoorAddress(): DoorAddress {
  const doors = useDoors().data;
  return (door, path) => {
    const entry = doors?.[door];
    return entry ? originOf(entry, window.location) + (path ?? PATHS[door] ?? '/') : '#';
  };
}

/** The address that shows a study in OHIF; its log-in page asks this tab for the account (docs/ohif.md). */
export const ohifPath = (studyInstanceUid?: string) =>
  `/pacs/log-in.html#${studyInstanceUid ? `/viewer?StudyInstanceUIDs=${studyInstanceUid}` : '/'}`;

/** Lends the log-in to OHIF tabs that this one has opened, and to no other origin. */
export function useLendLogIn() {
  const ohif = useDoors().data?.ohif;
  useEffect(() => {
    if (!ohif) return;
    const origin = originOf(ohif, window.location);
    const answer = (event: MessageEvent) => {
      if (event.origin !== origin || event.data?.type !== 'pacs-log-in-wanted') return;
      const session = currentSession();
      if (!session || !event.source) return;
      event.source.postMessage({ type: 'pacs-log-in', authorization: session.authorization }, { targetOrigin: origin });
    };
    window.addEventListener('message', answer);
    return () => window.removeEventListener('message', answer);
  }, [ohif]);
}
