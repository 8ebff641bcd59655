// Starts GraphiQL against this gateway: signs in, keeps the token for this tab, speaks HTTP and graphql-transport-ws.
(function () {
  'use strict';

  // The mutation that signs in. Adjust these three when the schema's names change.
  const SIGN_IN = 'mutation SignIn($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken userErrors { message } } }';
  const signInInput = (email, password) => ({ email, password });
  const signInPayload = (data) => data && data.signIn;

  const ENDPOINT = new URL('graphql', location.href);
  const STORED = 'gatehouse.session';
  const WELCOME = [
    '# Sign in above, then ask. Ctrl-Enter runs, Ctrl-Space completes;',
    '# the book on the left holds the documentation of every field.',
    '',
    '{ __typename }',
    '',
  ].join('\n');

  const element = (id) => document.getElementById(id);
  let session = read();

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(STORED)) || null;
    } catch {
      return null;
    }
  }

  function remember(next) {
    session = next;
    if (next) sessionStorage.setItem(STORED, JSON.stringify(next));
    else sessionStorage.removeItem(STORED);
    show();
  }

  function notice(text) {
    element('notice').textContent = text || '';
  }

  function authorization() {
    return session ? { Authorization: 'Bearer ' + session.token } : {};
  }

  async function post(body, headers, signal) {
    const response = await fetch(ENDPOINT, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json, application/json;q=0.9', ...headers },
      body: JSON.stringify(body),
      credentials: 'same-origin',
      signal,
    });
    const answer = await response.json();
    if (response.status === 401 && session) notice('The token is no longer valid: sign in again.');
    return answer;
  }

  // One subscription per socket: its answers as an async iterator, which GraphiQL reads and ends.
  function subscribe(body, headers) {
    const url = new URL(ENDPOINT);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url, 'graphql-transport-ws');
    const send = (message) => socket.send(JSON.stringify(message));
    const ready = [];
    let waiting = null;
    let over = false;
    const wake = () => {
      if (waiting) waiting();
      waiting = null;
    };
    const give = (value) => {
      ready.push(value);
      wake();
    };
    const end = () => {
      over = true;
      wake();
    };
    socket.onopen = () => {
      const authorization = headers.Authorization || headers.authorization;
      send({ type: 'connection_init', payload: authorization ? { authorization } : {} });
    };
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      switch (message.type) {
        case 'connection_ack':
          send({ type: 'subscribe', id: '1', payload: body });
          break;
        case 'ping':
          send({ type: 'pong' });
          break;
        case 'next':
          give(message.payload);
          break;
        case 'error':
          give({ errors: message.payload });
          end();
          socket.close(1000);
          break;
        case 'complete':
          end();
          socket.close(1000);
          break;
      }
    };
    socket.onclose = (event) => {
      if (!over && event.code !== 1000) give({ errors: [{ message: 'socket closed: ' + event.code + ' ' + event.reason }] });
      end();
    };
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      async next() {
        while (!ready.length && !over) await new Promise((resolve) => (waiting = resolve));
        return ready.length ? { done: false, value: ready.shift() } : { done: true, value: undefined };
      },
      async return() {
        end();
        socket.close(1000);
        return { done: true, value: undefined };
      },
    };
  }

  function isSubscription(document, name) {
    const operations = ((document && document.definitions) || []).filter((one) => one.kind === 'OperationDefinition');
    const chosen = name ? operations.filter((one) => one.name && one.name.value === name) : operations;
    return chosen.some((one) => one.operation === 'subscription');
  }

  function fetcher(request, options) {
    const headers = { ...authorization(), ...((options && options.headers) || {}) };
    if (isSubscription(options && options.documentAST, request.operationName)) return subscribe(request, headers);
    return post(request, headers);
  }

  const root = ReactDOM.createRoot(element('graphiql'));

  function show() {
    element('sign-in').hidden = Boolean(session);
    element('signed-in').hidden = !session;
    element('who').textContent = session ? 'Signed in as ' + session.email : '';
    // Another caller may see another schema: start anew.
    root.render(
      React.createElement(GraphiQL, {
        key: session ? session.token : 'stranger',
        fetcher,
        defaultQuery: WELCOME,
        defaultEditorToolsVisibility: true,
        shouldPersistHeaders: false,
      }),
    );
  }

  element('sign-in').addEventListener('submit', async (event) => {
    event.preventDefault();
    notice('');
    const email = element('email').value;
    try {
      const answer = await post({ query: SIGN_IN, variables: { input: signInInput(email, element('password').value) } }, {});
      const payload = signInPayload(answer.data);
      const problems = [...(answer.errors || []), ...((payload && payload.userErrors) || [])];
      if (payload && payload.accessToken) {
        element('password').value = '';
        remember({ email, token: payload.accessToken });
      } else {
        notice(problems.map((problem) => problem.message).join('; ') || 'Signing in failed.');
      }
    } catch (error) {
      notice('The gateway does not answer: ' + error.message);
    }
  });

  element('sign-out').addEventListener('click', () => {
    notice('');
    remember(null);
  });

  show();
})();
