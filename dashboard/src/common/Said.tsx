import { Text, type TextProps } from '@mantine/core';
import { useServerWords } from '../i18n/server-words';

interface Props extends TextProps {
  of: readonly (string | null | undefined)[];
}

/** Sentences of the server, in the reader's language where they are known. */
export function Said({ of, ...props }: Props) {
  const words = useServerWords()(...of);
  return (
    <Text size="sm" {...props} lang={words.lang}>
      {words.text}
    </Text>
  );
}
