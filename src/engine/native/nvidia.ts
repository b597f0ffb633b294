/** Whether a GPU can be expected at all: asked before anything of several gigabytes is loaded or downloaded. */
import { existsSync } from 'node:fs';

/** Whether an NVIDIA driver is loaded (also under WSL). */
export function hasNvidiaDriver(): boolean {
  return ['/proc/driver/nvidia/version', '/dev/nvidia0', '/dev/dxg'].some((path) => existsSync(path));
}
