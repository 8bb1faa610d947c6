export const wantsPage = (request: Request): boolean => request.headers.get('accept')?.includes('text/html') === true
export const graphiqlPage = (_request: Request): Response => new Response('')
