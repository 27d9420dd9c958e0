import type { DataSource } from 'typeorm';
import { type ClassifierCard, loadCard } from './cascade.js';

/** Stores what is known of a classifier, the shipped one unless told, which verdicts refer to by its version. */
export async function registerClassifier(dataSource: DataSource, card: ClassifierCard = loadCard()): Promise<void> {
  await dataSource.query(
    'INSERT INTO classifier_versions (version, card) VALUES ($1, $2) ON CONFLICT (version) DO NOTHING',
    [card.version, JSON.stringify(card)],
  );
}
