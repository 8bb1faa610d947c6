import { Title } from '@mantine/core'
import { useId, type ReactNode } from 'react'

import styles from './Section.module.css'

interface Props {
  readonly title: string
  /** Beside the title: a number, or where there is more. */
  readonly aside?: ReactNode
  readonly children: ReactNode
}

/** A part of a view, with its title. */
export function Section({ title, aside, children }: Props) {
  const id = useId()
  return (
    <section className={styles.section} aria-labelledby={id}>
      <div className={styles.heading}>
        <Title order={2} id={id} className={styles.title}>
          {title}
        </Title>
        {aside === undefined ? null : <span className={styles.more}>{aside}</span>}
      </div>
      {children}
    </section>
  )
}
