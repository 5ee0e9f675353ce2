import type { Feature, Json } from '../feature.ts';
import { both, must, probe, user } from './prompts.ts';

const row = (id: string, title: string, probes: Feature['probes'], fields: readonly string[] = ['messages']): Feature => ({
  id,
  group: 'Images, sound, files',
  title,
  kind: 'chat',
  fields,
  shows: true,
  probes,
});

/** A grey square of 16 pixels. */
const PNG = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAAAAAA6mKC9AAAAEElEQVR42mNkwAsYRxVgUQAAE+YAEfF5jyYAAAAASUVORK5CYII=';
const LINK = 'https://example.com/lighthouse.png';

const seeing = (url: string, detail?: string): Json =>
  user([
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url, ...(detail === undefined ? {} : { detail }) } },
  ]);

export const MEDIA: readonly Feature[] = [
  row('image-data', 'An image as a data URL', (sim) =>
    both({ messages: [seeing(PNG)] }, ({ content }) => must(!sim || /1 image/.test(content ?? ''), 'the model did not see it')),
  ),
  row('image-url', 'An image by its address', (sim) =>
    sim ? both({ messages: [seeing(LINK)] }, ({ content }) => must(/1 image/.test(content ?? ''), 'the model did not see it')) : [],
  ),
  row('image-detail', 'An image with detail: high', (sim) => [
    probe({ messages: [seeing(PNG, 'high')] }, ({ content }) => must(!sim || /1 image/.test(content ?? ''), 'the model did not see it')),
  ]),
  row('audio-in', 'Sound in a message', (sim) =>
    !sim
      ? []
      : [
          probe({
            messages: [
              user([
                { type: 'text', text: 'What is said?' },
                { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
              ]),
            ],
          }),
        ],
  ),
  row('file', 'A file in a message', (sim) =>
    !sim
      ? []
      : [
          probe({
            messages: [
              user([
                { type: 'text', text: 'What does it say?' },
                { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0xLjQK' } },
              ]),
            ],
          }),
        ],
  ),
  row(
    'audio-out',
    'A spoken answer',
    () => [probe({ messages: [user('Say hello.')], modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } })],
    ['modalities', 'audio'],
  ),
];
