import java.nio.file.Path;
import org.neo4j.configuration.GraphDatabaseSettings;
import org.neo4j.configuration.connectors.BoltConnector;
import org.neo4j.configuration.helpers.SocketAddress;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;

/**
 * Neo4j Community on 127.0.0.1 with authentication on. Arguments: data folder, port. Ends when its standard input does,
 * which is when the process that started it is gone, however it went.
 */
public class Neo4jForTests {
  public static void main(String[] args) throws Exception {
    Thread watch = new Thread(() -> {
      try {
        while (System.in.read() >= 0) {
          // Nothing is ever said; only the end counts.
        }
      } catch (java.io.IOException gone) {
        // As good as the end.
      }
      // Not exit: the data are thrown away, and an orderly shutdown takes seconds.
      Runtime.getRuntime().halt(0);
    });
    watch.setDaemon(true);
    watch.start();
    new DatabaseManagementServiceBuilder(Path.of(args[0]))
        .setConfig(BoltConnector.enabled, true)
        .setConfig(BoltConnector.listen_address, new SocketAddress("127.0.0.1", Integer.parseInt(args[1])))
        .setConfig(GraphDatabaseSettings.auth_enabled, true)
        .setConfig(GraphDatabaseSettings.pagecache_memory, 64L << 20)
        .build();
    Thread.currentThread().join();
  }
}
