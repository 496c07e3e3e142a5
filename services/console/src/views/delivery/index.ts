export { DeliveryView } from './DeliveryView.tsx';
