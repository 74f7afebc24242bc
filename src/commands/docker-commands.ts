import { type Command, Option } from 'commander';
import type { CommandLine } from './command-environment.ts';
import type { DockerBuildImageOptions } from './docker-build-image.ts';
import type { DockerPruneOptions } from './docker-prune.ts';
import { examples } from './option-values.ts';

/** Commands about images and the disk of a Docker daemon. */
export function addDockerCommands(program: Command, line: CommandLine): void {
  program
    .command('docker-build-image')
    .description('build the helper or manager image from this program')
    .argument('<kind>', 'helper or manager')
    .option(
      '--base <image>',
      'Debian root to take git and the tools from: an image or a folder',
      'debian:bookworm-slim',
    )
    .option('--tag <name>', 'name of the image; default: the one that this program looks for')
    .option('--flavor <flavor>', 'part of the default name, as helper_image_flavor has it')
    .addOption(hostOption())
    .option('--quiet', 'do not show the log of the build')
    .addHelpText(
      'after',
      examples('millrace docker-build-image helper', 'millrace docker-build-image manager --base ./debian-root'),
    )
    .action(async (kind: string, options: DockerBuildImageOptions) => {
      const { runDockerBuildImage } = await import('./docker-build-image.ts');
      await runDockerBuildImage(kind, options, line.environment);
    });
  program
    .command('docker-prune')
    .description('remove images that this runner pulled and its cache volumes, least recently used first')
    .option('--max-size <size>', 'room they may take together, like 20g; 0 = remove all that are not in use', '')
    .option('--min-free <size>', 'room that has to be free on the disk, like 10g or 15%', '')
    .option('--dry-run', 'only say what would be removed')
    .addOption(hostOption())
    .addOption(new Option('--state-dir <folder>', 'where the runner notes what it pulled').env('MILLRACE_STATE_DIR'))
    .addHelpText('after', examples('millrace docker-prune --max-size 20g --dry-run'))
    .action(async (options: DockerPruneOptions) => {
      const { runDockerPrune } = await import('./docker-prune.ts');
      await runDockerPrune(options, line.environment);
    });
}

function hostOption(): Option {
  return new Option('--host <address>', 'the daemon; default: DOCKER_HOST, or its usual socket').env('DOCKER_HOST');
}
