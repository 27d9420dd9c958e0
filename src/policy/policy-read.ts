import { type DataSource, LessThan } from 'typeorm';
import { DriftError } from '../drift-error.js';
import { PolicyVersionEntity } from './policy-version.entity.js';

export interface PolicyPage {
  /** Number of the version that the last page ended with. */
  after?: number;
  limit?: number;
}

/** Policy versions, the latest first. */
export async function listPolicies(
  dataSource: DataSource,
  { after, limit }: PolicyPage = {},
): Promise<PolicyVersionEntity[]> {
  return dataSource.getRepository(PolicyVersionEntity).find({
    where: after === undefined ? {} : { number: LessThan(after) },
    order: { number: 'DESC' },
    take: limit,
  });
}

/** @throws DriftError `not-found` */
export async function readPolicy(dataSource: DataSource, version: string): Promise<PolicyVersionEntity> {
  const policy = await dataSource.getRepository(PolicyVersionEntity).findOneBy({ version });
  if (!policy) throw new DriftError('not-found', `There is no policy version ${version}.`);
  return policy;
}
