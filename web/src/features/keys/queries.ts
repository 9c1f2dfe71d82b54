import { api, call } from '@/api/client';

export const createKey = (name: string) => call(api.POST('/api/v1/keys', { body: { name } }));

export const revokeKey = (id: string) => call(api.DELETE('/api/v1/keys/{id}', { params: { path: { id } } }));
