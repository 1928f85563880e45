// The style sheets of components that only the pages behind the first view use.
import '@mantine/core/styles/ScrollArea.css';
import '@mantine/core/styles/Popover.css';
import '@mantine/core/styles/Overlay.css';
import '@mantine/core/styles/ModalBase.css';
import '@mantine/core/styles/Menu.css';
import '@mantine/core/styles/Modal.css';
import '@mantine/core/styles/Pagination.css';
import '@mantine/core/styles/Progress.css';
import '@mantine/core/styles/Checkbox.css';
import '@mantine/core/styles/Tabs.css';
import '@mantine/core/styles/Divider.css';
import '@mantine/core/styles/ColorSwatch.css';
import '@mantine/core/styles/Slider.css';
import '@mantine/core/styles/Switch.css';
