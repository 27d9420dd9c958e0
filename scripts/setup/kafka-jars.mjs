import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ASSETS, cachePaths } from './assets.mjs';
import { bytesBelow, makeOnce } from './files.mjs';
import { SetupError } from './progress.mjs';
import { firstThatRuns, run } from './run.mjs';
import { checkSha256 } from './wheels.mjs';

const POM = fileURLToPath(new URL('./kafka/pom.xml', import.meta.url));
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
const ABOUT_BYTES = 44_700_000;
const JAVA =
  '(Debian, Ubuntu: apt-get install default-jre-headless maven; Fedora: dnf install java-latest-openjdk-headless maven)';

/**
 * The jars of Apache Kafka, by Maven. Java is needed to run them, too.
 * @param {string} cacheDir
 * @param {import('./progress.mjs').Progress} progress
 */
export async function kafkaJars(cacheDir, progress) {
  const dir = cachePaths(cacheDir).kafkaLibs;
  if (!existsSync(dir)) requirePrograms();
  return await makeOnce(cacheDir, dir, progress, async (temporary) => {
    const libs = join(temporary, 'libs');
    progress.now('downloading', () => ({ done: bytesBelow(libs), total: ABOUT_BYTES }));
    await run('mvn', ['-B', '-q', '-f', POM, COPY_DEPENDENCIES, '-DincludeScope=runtime', `-DoutputDirectory=${libs}`]);
    progress.now('checking');
    await checkJars(libs);
    for (const jar of Object.keys(ASSETS.kafka.jars)) renameSync(join(libs, jar), join(temporary, jar));
    rmSync(libs, { recursive: true });
  });
}

function requirePrograms() {
  for (const [program, args] of /** @type {[string, string[]][]} */ ([
    ['java', ['-version']],
    ['mvn', ['--version']],
  ])) {
    if (firstThatRuns([program], args)) continue;
    throw new SetupError(
      `${program} is missing, which the embedded Kafka needs ${JAVA}. Or set KAFKA_BROKERS to a Kafka that runs.`,
    );
  }
}

/**
 * @param {string} libs
 * @throws SetupError if a jar is missing or not the pinned one
 */
async function checkJars(libs) {
  const expected = Object.entries(ASSETS.kafka.jars);
  const found = new Set(readdirSync(libs));
  const missing = expected.filter(([name]) => !found.has(name)).map(([name]) => name);
  if (missing.length > 0) throw new SetupError(`Maven did not bring ${missing.join(', ')}`);
  for (const [name, sha256] of expected) await checkSha256(join(libs, name), name, sha256);
}
