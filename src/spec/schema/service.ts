/**
 * The service spec: pure data, one zod schema from which types, validation, defaults, the JSON Schema and the reference come.
 * Units end the names: `Mb` is 2^20 bytes, `Ms` milliseconds. Code is only named here (gates, order hooks) and bound when the
 * scheduler is made. Unknown keys are errors everywhere. Pure.
 */
import { z } from 'zod'
import { field, isInherited, label, userName } from './fields.js'
import { deploy, ownPlan, recovery, update } from './plans.js'
import { pod } from './pod.js'

const valueName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]*$/, 'a value must be named with letters and digits, beginning with a letter')
  .refine((name) => !isInherited(name), 'a value cannot have this name; choose another')

const generatedValue = z.strictObject({
  generate: field(
    z.enum(['uuid', 'uuidBase64Url']),
    '`uuid`: text form with dashes. `uuidBase64Url`: the 16 bytes as 22 characters, as Kafka writes cluster ids.',
  ),
})

export const serviceSchema = z.strictObject({
  name: field(
    label('the service', 63),
    'Name of the service: part of its role, of ids and of paths in the store. Can never change later.',
  ),
  user: field(userName.default('root'), 'User that tasks run as. Can never change later.'),
  principal: field(
    z.string().regex(/^\S+$/, 'must have no blanks').max(255).optional(),
    'Mesos principal of the reservations; `<name>-principal` when left out. Can never change later.',
  ),
  role: field(
    z
      .string()
      .max(255)
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_./-]*$/, 'must be the name of a role')
      .refine(
        (name) => name.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
        'must have no empty part, . or ..',
      )
      .optional(),
    'Mesos role of the framework and of its reservations; `<name>-role` when left out. Can never change later.',
  ),
  webUrl: field(z.url({ protocol: /^https?$/ }).optional(), 'Shown by Mesos as the web page of the framework.'),
  advertise: field(
    z.enum(['address', 'hostname']).default('address'),
    "What peers are told: the agent's address or its host name.",
  ),
  region: field(z.string().min(1).max(255).optional(), 'Region in which all pods are placed. Can never change later.'),
  values: field(
    z.record(valueName, generatedValue).default({}),
    'Values generated once for the service and kept. No secrets: they are stored and shown in the clear.',
  ),
  pods: field(z.record(label('a pod', 30), pod), 'Pod types by name.'),
  deploy: field(deploy.prefault({}), 'The first deployment, and what is added later.'),
  update: field(update.prefault({}), 'Rolling a changed spec.'),
  recovery: field(recovery.prefault({}), 'Bringing back what has failed.'),
  plans: field(z.record(label('a plan', 40), ownPlan).optional(), 'Plans that an operator starts, by name.', { implied: {} }),
})
