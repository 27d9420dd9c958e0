import { describe, expect, it } from 'vitest';
import { SAME_REQUEST_THRESHOLD, sameRequest } from './request-similarity.js';

const recipe =
  'Mix the flour with the sugar, add two eggs and the milk, stir until smooth and bake the cake for forty minutes.';

describe('sameRequest', () => {
  it('sees another try at the same request in a reworked reply', () => {
    const { similarity, same } = sameRequest({
      request: 'Give me a recipe for a cake.',
      rejected: recipe,
      feedback: 'I am allergic to eggs!',
      nextReply:
        'Sorry! Mix the flour with the sugar, add a mashed banana and the milk, stir until smooth and bake the cake for forty minutes.',
    });
    expect(similarity).toBeGreaterThan(SAME_REQUEST_THRESHOLD);
    expect(same).toBe(true);
  });

  it('sees it in a reply that follows a refusal and serves the request', () => {
    const request =
      'Compare Norway, Sweden, Denmark and Finland by population, area, capital, currency, language and head of state.';
    const { same } = sameRequest({
      request,
      rejected: 'I am sorry, but that would be very long.',
      feedback: 'Do it anyway.',
      nextReply:
        'Norway, Sweden, Denmark and Finland by population, area, capital, currency, language and head of state: the table below.',
    });
    expect(same).toBe(true);
  });

  it('sees a new request in a reply about something else', () => {
    const { similarity, same } = sameRequest({
      request: 'Give me a recipe for a cake.',
      rejected: recipe,
      feedback: 'Whatever. How do I open a TCP socket in Rust?',
      nextReply: 'Use `std::net::TcpStream::connect`, which returns a Result with a stream.',
    });
    expect(similarity).toBeLessThan(0.3);
    expect(same).toBe(false);
  });

  it('is 1 for a reply given again and 0 where nothing is said', () => {
    expect(sameRequest({ request: '', rejected: recipe, feedback: 'no', nextReply: recipe }).similarity).toBeCloseTo(1);
    expect(sameRequest({ request: '', rejected: '', feedback: '', nextReply: '' })).toEqual({
      similarity: 0,
      same: false,
    });
  });

  it('takes any script, lone surrogates and very long texts', () => {
    const long = '同じ返事 \ud800 '.repeat(200_000);
    expect(sameRequest({ request: long, rejected: long, feedback: long, nextReply: long }).same).toBe(true);
  });
});
