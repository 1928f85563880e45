// A picture that needs the account's password: fetched by script, shown as a blob.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { get } from '../api/client';

export function usePicture(url: string | null): string | undefined {
  const { data } = useQuery({
    queryKey: ['picture', url],
    queryFn: ({ signal }) =>
      get<Blob>(url ?? '', { signal, responseType: 'blob', timeout: 60_000, headers: { Accept: 'image/jpeg' } }),
    enabled: url !== null,
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  });
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    if (!data) return;
    const made = URL.createObjectURL(data);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [data]);
  return address;
}
