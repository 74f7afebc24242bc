// A program for tests: adds runners to a config.toml, one edit each; with the name `hold` it keeps the lock for ever.
import { editConfigFile } from '../../src/config/save-config.ts';

const [path = '', stateFolder = '', name = '', count = '1'] = process.argv.slice(2);
const { signal } = new AbortController();

if (name === 'hold') {
  const held = editConfigFile(
    path,
    { stateFolder },
    async () => {
      process.stdout.write('held\n');
      await new Promise(() => setInterval(() => {}, 60_000));
    },
    signal,
  );
  await held;
}
for (let index = 0; index < Number(count); index += 1) {
  await editConfigFile(
    path,
    { stateFolder },
    (editor) => editor.append('runners', { name: `${name}${index}` }),
    signal,
  );
}
