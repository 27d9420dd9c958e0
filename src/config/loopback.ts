/** Hosts that no other machine answers for. */
const isLoopback = (host: string) => host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** Whether nobody else can read what is sent there: a secret may be. */
export const keepsSecrets = ({ protocol, hostname }: URL): boolean => protocol === 'https:' || isLoopback(hostname);
