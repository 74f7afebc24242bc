import { CommandError } from '../../lib/errors.ts';
import type { Entry } from './entry.ts';
import { textAt, withValueAt } from './entry.ts';
import { executorNames } from './executor-entries.ts';
import type { Question, Questions } from './questions.ts';
import type { RunnerSession } from './runner-session.ts';

type KeyQuestion = Omit<Question, 'known' | 'key'> & { readonly path: readonly string[] };

const sshAddress: readonly KeyQuestion[] = [
  { path: ['ssh', 'host'], text: 'Enter the SSH server address (for example, my.server.com):' },
  { path: ['ssh', 'port'], text: 'Enter the SSH server port (for example, 22):', isOptional: true },
];

const sshLogin: readonly KeyQuestion[] = [
  { path: ['ssh', 'user'], text: 'Enter the SSH user (for example, root):' },
  {
    path: ['ssh', 'password'],
    text: 'Enter the SSH password (for example, docker.io):',
    isOptional: true,
    isSecret: true,
  },
  {
    path: ['ssh', 'identity_file'],
    text: 'Enter the path to the SSH identity file (for example, /home/user/.ssh/id_rsa):',
    isOptional: true,
  },
];

function imageQuestion(example: string): readonly KeyQuestion[] {
  const text = `Enter the default Docker image (for example, ${example}):`;
  return [{ path: ['docker', 'image'], text, suggestion: example }];
}

/** What is asked for an executor (spec commands.md §6). */
const questionsOf: Readonly<Record<string, readonly KeyQuestion[]>> = {
  docker: imageQuestion('ruby:3.3'),
  'docker+machine': imageQuestion('ruby:3.3'),
  'docker-autoscaler': imageQuestion('ruby:3.3'),
  'docker-windows': imageQuestion('mcr.microsoft.com/windows/servercore:1809'),
  ssh: [...sshAddress, ...sshLogin],
  parallels: [
    { path: ['parallels', 'base_name'], text: 'Enter the Parallels VM (for example, my-vm):' },
    ...sshAddress,
  ],
  virtualbox: [
    { path: ['virtualbox', 'base_name'], text: 'Enter the VirtualBox VM (for example, my-vm):' },
    ...sshLogin,
  ],
};

/**
 * Asks for the executor and what it needs.
 * @param suggestion offered to a person.
 * @throws CommandError
 */
export async function askForExecutor(
  entry: Entry,
  questions: Questions,
  session: RunnerSession,
  suggestion: string,
): Promise<Entry> {
  const { signal, logger } = session;
  const text = `Enter an executor: ${executorNames.join(', ')}:`;
  let name = await questions.ask({ text, key: 'executor', known: textAt(entry, 'executor'), suggestion }, signal);
  while (!executorNames.includes(name)) {
    if (!questions.isInteractive) {
      throw new CommandError('Invalid executor specified', { hint: `Known: ${executorNames.join(', ')}.` });
    }
    logger.error('Invalid executor specified');
    name = await questions.ask({ text, key: 'executor', known: '', suggestion }, signal);
  }
  let answered = withValueAt(entry, ['executor'], name);
  for (const { path, ...question } of questionsOf[name] ?? []) {
    const known = textAt(answered, ...path);
    const key = path.join('-').replaceAll('_', '-');
    const answer = await questions.ask({ ...question, key, known }, signal);
    if (answer !== '') answered = withValueAt(answered, path, answer);
  }
  return answered;
}
