/**
 * A thread of the kernels: waits for work on one of the memories, does what is there, waits again.
 *
 * It is plain JavaScript, so that it runs as it is from a checkout and from the package. It spins shortly before it sleeps,
 * as the next work mostly comes within microseconds.
 *
 * Words of `control`: how often something was asked for; what, in one word, so that nobody reads halves of two questions: the
 * number of the memory that has work, or −1, there are messages, or −2, the end; threads asleep; answers; a thread that failed;
 * from word 16 on what each thread has answered.
 */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';

const { control, module, port, thread, spins } = workerData;
const [ASKED, WHAT, ASLEEP, ANSWERED, FAILED] = [0, 1, 2, 3, 4];
const [MESSAGES, END] = [-1, -2];

/** A wake-up can be lost (glibc before 2.41, its bug 25847): a thread that sleeps looks by itself now and then. */
const LOOK_AGAIN_MS = 5000;

/** By memory: the kernels, where the tape is, and how far this thread's arena is from the first one. */
const instances = [];
let seen = 0;

function answer() {
  Atomics.store(control, 16 + thread, seen);
  Atomics.add(control, ANSWERED, 1);
  Atomics.notify(control, ANSWERED);
}

function waitForMore() {
  for (let i = 0; i < spins; i++) if (Atomics.load(control, ASKED) !== seen) return;
  Atomics.add(control, ASLEEP, 1);
  while (Atomics.load(control, ASKED) === seen) Atomics.wait(control, ASKED, seen, LOOK_AGAIN_MS);
  Atomics.sub(control, ASLEEP, 1);
}

/** Memories, and arenas that were moved. */
function takeMessages() {
  for (
    let received = receiveMessageOnPort(port);
    received !== undefined;
    received = receiveMessageOnPort(port)
  ) {
    const { index, memory, scratch, tape, shift } = received.message;
    if (memory !== undefined) {
      const code = new WebAssembly.Instance(module, { env: { memory } }).exports;
      code.useScratch(scratch);
      instances[index] = { code, tape, shift: 0 };
    }
    instances[index].shift = shift;
  }
}

try {
  seen = Atomics.load(control, ASKED);
  answer();
  for (;;) {
    waitForMore();
    seen = Atomics.load(control, ASKED);
    const what = Atomics.load(control, WHAT);
    if (what === END) break;
    if (what === MESSAGES) {
      takeMessages();
      answer();
      continue;
    }
    const instance = instances[what];
    instance?.code.work(instance.tape, thread * instance.shift);
  }
} catch (error) {
  Atomics.store(control, FAILED, thread);
  port.postMessage({ failure: String(error?.message ?? error) });
} finally {
  answer();
}
