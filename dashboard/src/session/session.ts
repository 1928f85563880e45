// Who is signed in. Credentials stay in this tab's sessionStorage and leave with it.
import { useSyncExternalStore } from 'react';

export interface Session {
  readonly user: string;
  readonly authorization: string;
}

/** Why the sign-in form is shown again. */
export type SignedOutReason = 'left' | 'expired' | null;

const KEY = 'pacs-session';
const listeners = new Set<() => void>();
let session: Session | null = restore();
let reason: SignedOutReason = null;

function restore(): Session | null {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    if (stored && typeof stored === 'object' && 'user' in stored && 'authorization' in stored) return stored as Session;
  } catch {
    sessionStorage.removeItem(KEY);
  }
  return null;
}

function change(next: Session | null, why: SignedOutReason) {
  session = next;
  reason = why;
  if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
  else sessionStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}

/** The value of an HTTP Basic Authorization header (RFC 7617), UTF-8. */
export function basic(user: string, password: string): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${user}:${password}`)))}`;
}

export const currentSession = () => session;
export const signedOutReason = () => reason;
export const signIn = (user: string, authorization: string) => change({ user, authorization }, null);
export const signOut = (why: SignedOutReason = 'left') => {
  if (session) change(null, why);
};

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useSession = () => useSyncExternalStore(subscribe, currentSession);
/** Only the account admin may change anything; the server decides, this only greys what it would refuse. */
export const useIsAdmin = () => useSession()?.user === 'admin';

export function onSignedOut(listener: () => void): void {
  subscribe(() => {
    if (!session) listener();
  });
}
