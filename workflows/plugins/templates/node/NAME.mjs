// The plugin NAME: change its node type, and add others. `fanlight docs plugins` describes the protocol.

import { createReadStream, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setImmediate as turn } from 'node:timers/promises'

const types = {
  'NAME.repeat': {
    summary: 'Repeats a text.',
    effects: 'none',
    inputs: {
      text: { type: 'text', summary: 'The text.' },
      times: { type: 'int', summary: 'How often it is repeated.', default: 2, min: 1, max: 1000 },
    },
    outputs: { text: { type: 'text', summary: 'The repeated text.' } },

    async run({ text, times }, attempt) {
      const parts = []
      for (let done = 1; done <= times; done++) {
        parts.push(text)
        attempt.progress(done / times)
        await turn()
        attempt.cancelled.throwIfAborted()
      }
      return { text: parts.join(' ') }
    },
  },
}

function say(message) {
  let line = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n')
  while (line.length > 0) line = line.subarray(writeSync(4, line))
}

const running = new Map()

async function execute(id, params) {
  const controller = new AbortController()
  running.set(id, controller)
  const report = (method, fields) => say({ method, params: { id, ...fields } })
  const attempt = {
    cancelled: controller.signal,
    folder: params.folder,
    progress: (value, message) => report('progress', { value, message }),
    log: (message) => report('log', { message }),
    chunk: (text) => report('chunk', { text }),
  }
  try {
    const outputs = await types[params.type].run(params.inputs, attempt)
    say({ id, result: { outputs } })
  } catch (error) {
    say({ id, error: { code: 1, message: error.message } })
  }
  running.delete(id)
}

for await (const line of createInterface({ input: createReadStream('', { fd: 3 }) })) {
  const { id, method, params } = JSON.parse(line)
  if (method === 'hello') {
    say({ id, result: { protocol: 1, name: 'NAME' } })
  } else if (method === 'describe') {
    say({ id, result: { node_types: Object.entries(types).map(([name, type]) => ({ name, ...type })) } })
  } else if (method === 'execute') {
    execute(id, params)
  } else if (method === 'cancel') {
    running.get(params.id)?.abort(new Error('cancelled'))
  } else if (id !== undefined) {
    say({ id, error: { code: -32601, message: `there is no method ${method}` } })
  }
}
for (const controller of running.values()) controller.abort(new Error('cancelled'))
