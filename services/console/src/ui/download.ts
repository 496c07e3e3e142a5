/** Hands a file to the browser's downloads. */
export function download(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken hold of it when the next task runs; some ask where to first.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
