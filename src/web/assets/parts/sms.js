// How a text travels as SMS (3GPP TS 23.038 and 23.040); the same rules as in src/answers/sms.rs, for counting as one types.
const BASIC = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const EXTENDED = new Set("\f^{}\\[~]|€");

export function measure(text) {
  let septets = 0;
  for (const char of text) {
    if (BASIC.has(char)) septets += 1;
    else if (EXTENDED.has(char)) septets += 2;
    else {
      septets = null;
      break;
    }
  }
  const [encoding, characters, alone, joined] = septets === null ? ["UCS-2", text.length, 70, 67] : ["GSM-7", septets, 160, 153];
  const segments = characters === 0 ? 0 : characters <= alone ? 1 : Math.ceil(characters / joined);
  return { encoding, characters, segments };
}
