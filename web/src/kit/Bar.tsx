import styles from './Bar.module.css'

interface Props {
  readonly done: number
  readonly failed: number
  readonly total: number
  readonly size?: 'small' | 'large'
}

/** How many of all have come, and how many cannot. The numbers belong beside it, since it says nothing aloud. */
export const Bar = ({ done, failed, total, size = 'small' }: Props) => (
  <svg className={styles.bar} data-size={size} viewBox={`0 0 ${total} 1`} preserveAspectRatio="none" aria-hidden>
    <rect className={styles.done} width={done} height="1" />
    <rect className={styles.failed} x={done} width={failed} height="1" />
  </svg>
)
