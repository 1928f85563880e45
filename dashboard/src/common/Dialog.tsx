import { CloseButton, Group, Modal, type ModalProps } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** A modal dialog. Mantine's own header would be a second banner of the page to a screen reader. */
export function Dialog({ title, children, onClose, ...others }: ModalProps) {
  const { t } = useTranslation();
  return (
    <Modal {...others} onClose={onClose} withCloseButton={false}>
      <Group justify="space-between" wrap="nowrap" align="flex-start" mb="md">
        <Modal.Title fw={700} className="long-words">
          {title}
        </Modal.Title>
        <CloseButton aria-label={t('close')} onClick={onClose} />
      </Group>
      {children}
    </Modal>
  );
}
