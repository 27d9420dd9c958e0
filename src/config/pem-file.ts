import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** What a PEM file that a setting names must hold; the key without a passphrase. */
export type PemContent = 'certificates' | 'private key';

/** Why a file cannot be used, or undefined where it can. Never says what is in it. */
export function pemProblem(file: string, content: PemContent): string | undefined {
  try {
    const pem = readFileSync(file);
    if (content === 'certificates') new X509Certificate(pem);
    else createPrivateKey(pem);
    return undefined;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall) return `${file} cannot be read (${code}): expected a file with ${content} in PEM`;
    const how = content === 'private key' ? ' without a passphrase' : '';
    return `${file} holds no ${content.replace(/s$/, '')}${how}: expected PEM`;
  }
}

/** Why certificate and key are not of each other, or undefined where they are, or one of them cannot be used at all. */
export function pairProblem(certFile: string, keyFile: string): string | undefined {
  if (pemProblem(certFile, 'certificates') || pemProblem(keyFile, 'private key')) return undefined;
  const certificate = new X509Certificate(readFileSync(certFile));
  const fits = certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile)));
  return fits ? undefined : `${keyFile} is not the private key of ${certFile}`;
}

/** A setting that names such a file. */
export function pemFile(content: PemContent) {
  return z
    .string()
    .superRefine((file, context) => {
      const message = pemProblem(file, content);
      if (message) context.addIssue({ code: 'custom', message });
    })
    .optional();
}
