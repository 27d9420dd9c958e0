/** Fields of the forms that hold ids, and whose. */
export const USER_FIELDS = [
  'userId',
  'user_id',
  'user',
  'user.id',
  'enduser.id',
  'safety_identifier',
  'reviewer',
  'hashed_ip',
] as const;

export const CONVERSATION_FIELDS = [
  'conversationId',
  'conversation_id',
  'gen_ai.conversation.id',
  'conversation_hash',
  'reviewId',
  'subject',
] as const;
