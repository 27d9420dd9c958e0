import type { DataSource } from 'typeorm';
import { loadCard } from './cascade.js';

/** Stores what is known of the shipped classifier, which verdicts refer to by its version. */
export async function registerClassifier(dataSource: DataSource): Promise<void> {
  const card = loadCard();
  await dataSource.query(
    'INSERT INTO classifier_versions (version, card) VALUES ($1, $2) ON CONFLICT (version) DO NOTHING',
    [card.version, JSON.stringify(card)],
  );
}
