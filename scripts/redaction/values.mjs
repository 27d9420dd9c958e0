import { createHash } from 'node:crypto';

/** What the set is made of. Numbers and keys are random; names and sentences are the lists below. @param {() => number} random */
export function values(random) {
  const int = (below) => Math.floor(random() * below);
  const pick = (list) => list[int(list.length)];
  const digits = (count) => Array.from({ length: count }, () => int(10)).join('');
  const from = (alphabet, count) => Array.from({ length: count }, () => alphabet[int(alphabet.length)]).join('');
  const word = (count) => from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', count);
  const hex = (count) => from('0123456789abcdef', count);

  const FIRST = [
    'anna',
    'bob',
    'carlos',
    'dimitri',
    'emeka',
    'fatima',
    'george',
    'hanna',
    'ingrid',
    'jun',
    'katya',
    'liam',
  ];
  const LAST = [
    'meyer',
    'smith',
    'garcia',
    'ivanova',
    'okafor',
    'haddad',
    'oneill',
    'virtanen',
    'larsen',
    'tanaka',
    'chen',
  ];
  const HOSTS = [
    'gmail.com',
    'outlook.com',
    'firma-nord.de',
    'mail.uni-wien.ac.at',
    'example.com',
    'orange.fr',
    'startup.io',
    'city.gov.uk',
  ];

  const email = () => {
    const [first, last] = [pick(FIRST), pick(LAST)];
    const local = pick([
      `${first}.${last}`,
      `${first[0]}${last}`,
      `${first}_${last}${int(99)}`,
      `${first}+news`,
      `${last}.${int(1990)}`,
    ]);
    return `${pick([local, local, local.toUpperCase()])}@${pick(HOSTS)}`;
  };
  const phone = () =>
    pick([
      () => `+1 ${200 + int(700)} ${200 + int(700)} ${digits(4)}`,
      () => `(${200 + int(700)}) ${200 + int(700)}-${digits(4)}`,
      () => `${200 + int(700)}-${200 + int(700)}-${digits(4)}`,
      () => `${200 + int(700)}.${200 + int(700)}.${digits(4)}`,
      () => `+44 20 7${digits(3)} ${digits(4)}`,
      () => `+49 30 ${1 + int(9)}${digits(6)}`,
      () => `+33 6 ${digits(2)} ${digits(2)} ${digits(2)} ${digits(2)}`,
      () => `+9198${digits(8)}`,
      () => `+86 138 ${digits(4)} ${digits(4)}`,
      () => `+358 40 ${digits(3)} ${digits(4)}`,
    ])();
  const bareNumber = () => pick([() => `0${1 + int(9)}${digits(9)}`, () => `${200 + int(700)}${digits(7)}`])();

  const luhn = (body) => {
    const sum = [...body].reverse().reduce((total, digit, index) => {
      const value = Number(digit) * (index % 2 === 0 ? 2 : 1);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
    return `${body}${(10 - (sum % 10)) % 10}`;
  };
  const card = () => {
    const number = pick([
      () => luhn(`4${digits(14)}`),
      () => luhn(`5${1 + int(5)}${digits(13)}`),
      () => luhn(`37${digits(12)}`),
    ])();
    if (number.length === 15) return pick([number, `${number.slice(0, 4)} ${number.slice(4, 10)} ${number.slice(10)}`]);
    const groups = number.match(/.{4}/g);
    return pick([number, groups.join(' '), groups.join('-')]);
  };
  const iban = () => {
    const [country, bban] = pick([
      () => ['DE', digits(18)],
      () => ['GB', `${from('ABCDEFGHIJKLMNOPQRSTUVWXYZ', 4)}${digits(14)}`],
      () => ['NL', `${from('ABCDEFGHIJKLMNOPQRSTUVWXYZ', 4)}${digits(10)}`],
      () => ['AT', digits(16)],
      () => ['CH', digits(17)],
    ])();
    const numeric = `${bban}${country}00`.replace(/[A-Z]/g, (letter) => letter.charCodeAt(0) - 55);
    const check = String(98n - (BigInt(numeric) % 97n)).padStart(2, '0');
    const whole = `${country}${check}${bban}`;
    return pick([whole, whole.replace(/(.{4})(?=.)/g, '$1 ')]);
  };
  const octet = () => 20 + int(230);
  const ip = () =>
    pick([
      () => `${octet()}.${int(256)}.${int(256)}.${1 + int(254)}`,
      () => `192.168.${int(256)}.${1 + int(254)}`,
      () => `10.${int(256)}.${int(256)}.${1 + int(254)}`,
      () => `2001:db8:${hex(4)}:${hex(4)}::${hex(4)}`,
      () => `fe80::${hex(4)}:${hex(4)}:${hex(4)}:${hex(4)}`,
    ])();
  const base64url = (text) => Buffer.from(text).toString('base64url');
  const token = () =>
    pick([
      () => `AKIA${from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`,
      () => `ghp_${word(36)}`,
      () => `sk-${word(48)}`,
      () => `sk-proj-${word(40)}`,
      () => `xoxb-${digits(12)}-${digits(12)}-${word(24)}`,
      () => `AIza${word(35)}`,
      () => `sk_live_${word(24)}`,
      () => `npm_${word(36)}`,
      () => `glpat-${word(20)}`,
      () => `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(`{"sub":"${digits(10)}"}`)}.${word(43)}`,
    ])();
  const password = () =>
    `${pick(['Sommer', 'Tiger', 'blue', 'Qwerty', 'pass'])}${digits(2)}${pick(['!', '#', 'x', 'Zz'])}${digits(3)}`;

  const key = () => {
    const body = `MII${word(700)}`.match(/.{1,64}/g).join('\n');
    return `-----BEGIN RSA PRIVATE KEY-----\n${body}\n-----END RSA PRIVATE KEY-----`;
  };

  const positives = {
    email: () =>
      pick([
        () => `please send the invoice to <<email:${email()}>>, thanks`,
        () => `My name is ${pick(FIRST)} and my address is <<email:${email()}>>.`,
        () => `const user = { id: ${int(900)}, email: "<<email:${email()}>>" };`,
        () => `[<<email:${email()}>>](mailto:<<email:${email()}>>) wrote on Monday`,
        () => `From: ${pick(FIRST)} <<<email:${email()}>>>\nSubject: refund`,
        () => `kannst du <<email:${email()}>> und <<email:${email()}>> anschreiben?`,
      ])(),
    phone: () =>
      pick([
        () => `you can call me at <<phone:${phone()}>> after six`,
        () => `That is wrong, my number is <<phone:${phone()}>>!`,
        () => `Phone: <<phone:${bareNumber()}>>`,
        () => `{"name": "${pick(FIRST)}", "mobile": "<<phone:${bareNumber()}>>"}`,
        () => `${pick(FIRST)} ${pick(LAST)}, Head of Sales | <<phone:${phone()}>> | Dallas`,
        () => `ruf bitte unter 0171 zurück, genauer <<phone:0171 ${digits(7)}>>`,
        () => `mon numéro : <<phone:06 ${digits(2)} ${digits(2)} ${digits(2)} ${digits(2)}>>`,
        () => `text me on <<phone:${phone()}>> or <<phone:${phone()}>>`,
      ])(),
    card: () =>
      pick([
        () => `my card is <<card:${card()}>>, it expires 04/29`,
        () => `Charge <<card:${card()}>> please`,
        () => `{"number": "<<card:${card()}>>", "cvc": "${digits(3)}"}`,
        () => `they billed card <<card:${card()}>> twice for $${int(900)}.99`,
      ])(),
    iban: () =>
      pick([
        () => `IBAN: <<iban:${iban()}>>`,
        () => `please refund to <<iban:${iban()}>>. Thanks`,
        () => `Überweise die ${int(900)},50 € bitte auf <<iban:${iban()}>>, danke`,
        () => `account="<<iban:${iban()}>>"`,
      ])(),
    ip: () =>
      pick([
        () => `I cannot reach <<ip:${ip()}>> from home`,
        () => `server { proxy_pass http://<<ip:${octet()}.${int(256)}.${int(256)}.${int(250)}>>:8080; }`,
        () => `Failed login from <<ip:${ip()}>> at 2024-03-0${1 + int(9)}T10:1${int(9)}:22Z`,
        () => `ssh root@<<ip:${octet()}.${int(256)}.${int(256)}.${int(250)}>>`,
      ])(),
    secret: () =>
      pick([
        () => `it says 401 with key <<secret:${token()}>>`,
        () => `export API_TOKEN=<<secret:${token()}>>`,
        () => `my password is <<secret:${password()}>> and I still cannot log in`,
        () => `mein Passwort: <<secret:${password()}>> geht nicht`,
        () => `log in with admin / <<secret:${password()}>>`,
        () => `db = connect(user="app", password="<<secret:${password()}>>")`,
        () => `curl -H "Authorization: Bearer <<secret:${token()}>>" https://api.example.com/v1`,
        () => `what is wrong with this?\n<<secret:${key()}>>`,
      ])(),
  };

  const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
  const NEGATIVES = [
    () => `upgrade from ${int(9)}.${int(20)}.${int(30)} to version ${int(20)}.${int(20)}.${int(99)}.${int(200)}`,
    () => `Chrome/${90 + int(30)}.0.0.0 on Windows NT 10.0, build 10.0.${19000 + int(999)}.${int(2000)}`,
    () => `my order ${digits(10)} has not arrived, reference ${digits(3)}-${digits(7)}-${digits(7)}`,
    () => `the request id is ${uuid()} and the commit ${hex(40)}`,
    () => `we met on 2023-0${1 + int(9)}-1${int(9)} at 10:3${int(9)}:00, not 0${1 + int(9)}/0${1 + int(9)}/2023`,
    () => `it costs $${int(900)},${digits(3)}.${digits(2)} or ${int(90)}.${digits(3)},${digits(2)} EUR`,
    () => `for (let i = 0; i < ${int(1000)}; i++) { total += prices[i] * 1.${digits(4)}; }`,
    () => `@Injectable()\nexport class A${int(99)} { constructor(@Inject(B) private b: B) {} }`,
    () => `git clone git@github.com:org/repo-${int(99)}.git && npm i pkg@${int(9)}.${int(9)}.${int(9)}`,
    () => `timestamps ${1600000000 + int(99999999)} and ${1600000000000 + int(99999999)} differ by ${digits(6)}`,
    () => `std::vector<int>::iterator it = v.begin(); a::b::c(${int(99)});`,
    () => `0x${hex(8)} 0x${hex(8)} mac ${hex(2)}:${hex(2)}:${hex(2)}:${hex(2)}:${hex(2)}:${hex(2)}`,
    () =>
      `x = ${int(9)}.${digits(8)} - ${int(9)}.${digits(8)}; y = [-0.${digits(3)}, ${int(30)}.${digits(3)}, -${int(30)}.${digits(3)}]`,
    () => `1.2.${int(9)}.${int(9)} Scope of the contract\n1.2.${int(9)}.${int(9)} Definitions`,
    () => `ISBN 978-3-16-14841${int(10)}-0, pages ${int(400)}-${400 + int(400)}, 2019-2023`,
    () => `const password = process.env.DB_PASSWORD; const token = getToken(request, ${int(9)});`,
    () => `password: your_password_here, api_key = "YOUR_API_KEY", token=<token>`,
    () => `listen on 127.0.0.1:${3000 + int(999)} with mask 255.255.255.0, bind 0.0.0.0`,
    () => `tracking number 1Z${from('0123456789ABCDEFGHJKLMNPRSTUVWXYZ', 16)}, VIN WVWZZZ1JZ3W${digits(6)}`,
    () =>
      `.icon { background: url(icon@2x.png); margin: ${int(9)}px ${int(9)}px } /* @media (min-width: ${digits(3)}px) */`,
    () => `SELECT * FROM orders WHERE id IN (${digits(8)}, ${digits(8)}) AND total > ${digits(4)}.${digits(2)}`,
    () => `the population grew from ${int(9)} ${digits(3)} ${digits(3)} to ${int(9)},${digits(3)},${digits(3)}`,
    () => `how does a password reset token work? my secret santa is ${pick(FIRST)}`,
    () => `sha256:${createHash('sha256').update(digits(9)).digest('hex')} layer ${int(9)}`,
  ];
  return { positives, negatives: (index) => NEGATIVES[index % NEGATIVES.length]() };
}
