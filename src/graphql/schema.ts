import './scalars.ts'
import './errors.ts'
import './viewer.ts'
import './tenants.ts'
import './clusters.ts'
import './cluster-mutations.ts'
import './nodes.ts'
import './node-mutations.ts'
import './node-settings.ts'
import './enrolment.ts'
import './cluster-certificates.ts'
import './ca-rotation.ts'
import './cluster-state.ts'
import './config-bundle-mutations.ts'
import './config-bundles.ts'
import './config-published.ts'
import './replicas.ts'
import './replica-mutations.ts'

import { builder } from './builder.ts'
import { denyUndeclared } from './deny.ts'

/** The whole schema; whoever wants a field in it imports its file above. */
export const schema = denyUndeclared(builder.toSchema())
