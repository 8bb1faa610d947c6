/**
 * Runs in the browser before GraphiQL starts. A sign-in link is `/graphql#sign-in=<code>`: browsers never send a fragment
 * to a server. The script removes the code from the address bar and exchanges it for a session. It puts the session's
 * token into the header editor, and keeps it, with the tabs, in the session storage, which lasts as long as the
 * browser's tab. GraphiQL's default is the local storage, which outlasts the tab.
 */
export const signInScript = `
function orrerySignIn() {
  const code = new URLSearchParams(location.hash.slice(1)).get('sign-in');
  if (!code) return null;
  history.replaceState(null, '', location.pathname + location.search);
  try {
    // Waited for, since GraphiQL starts with the token or without one, and keeps what it started with.
    const request = new XMLHttpRequest();
    request.open('POST', 'sign-in', false);
    request.setRequestHeader('Content-Type', 'application/json');
    request.send(JSON.stringify({ code }));
    const answer = JSON.parse(request.responseText);
    if (request.status === 200) return answer.token;
    alert(answer.errors[0].message);
  } catch (error) {
    alert('Signing in failed: ' + error.message);
  }
  return null;
}
function orreryOptions(options) {
  const token = orrerySignIn();
  const saved = JSON.parse(sessionStorage.getItem('graphiql:tabState'));
  let headers = sessionStorage.getItem('graphiql:headers') || JSON.stringify({ Authorization: 'Bearer ' }, null, 2);
  if (token) {
    headers = JSON.stringify({ Authorization: 'Bearer ' + token }, null, 2);
    sessionStorage.setItem('graphiql:headers', headers);
    if (saved) {
      for (const tab of saved.tabs) tab.headers = headers;
      sessionStorage.setItem('graphiql:tabState', JSON.stringify(saved));
    }
  }
  // GraphiQL finds the tab it was left in by what it starts with.
  const left = saved ? saved.tabs[saved.activeTabIndex] : null;
  return {
    ...options,
    defaultTabs: options.defaultTabs.map((tab) => ({ ...tab, headers })),
    headers,
    initialHeaders: left ? left.headers || '' : headers,
    ...(left ? { initialQuery: left.query || '', initialVariables: left.variables || '' } : {}),
    defaultEditorToolsVisibility: 'headers',
    storage: sessionStorage,
  };
}
addEventListener('hashchange', () => {
  if (location.hash.startsWith('#sign-in=')) location.reload();
});
`
