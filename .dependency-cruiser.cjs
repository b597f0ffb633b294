/**
 * The order of the floors, for `npm run lint`: a room imports from its own floor and from those below it.
 *
 * `docs/architecture.md` has the picture; where a floor must move, it moves in both.
 */
const FLOORS = [
  ['cli'],
  ['index'],
  ['queue', 'report'],
  ['shards'],
  ['runner'],
  ['estimate'],
  ['experiment'],
  ['calibration'],
  ['registry'],
  ['methods', 'tasks'],
  ['model'],
  ['checkpoint'],
  ['device'],
  ['results'],
  ['cache'],
  ['engine', 'kernels'],
  ['pull'],
  ['base'],
];

const path = (rooms) => `^src/(${rooms.join('|')})(/|\\.ts$)`;

const climbs = FLOORS.slice(1).map((rooms, below) => ({
  name: `${rooms.join('-')}-climbs`,
  comment: `${rooms.join(' and ')} may not import a floor above: ${FLOORS.slice(0, below + 1)
    .flat()
    .join(', ')}`,
  severity: 'error',
  from: { path: path(rooms) },
  to: { path: path(FLOORS.slice(0, below + 1).flat()) },
}));

module.exports = {
  forbidden: [
    ...climbs,
    {
      name: 'methods-and-tasks-apart',
      comment: 'methods know no tasks, tasks no methods',
      severity: 'error',
      from: { path: '^src/(methods|tasks)/' },
      to: { path: '^src/(methods|tasks)/', pathNot: '^src/$1/' },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: { path: '^src' },
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/kernels/assembly' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
